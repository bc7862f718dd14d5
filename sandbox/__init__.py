"""Stand-ins that speak the wire protocols of outside providers: `python -m sandbox`.

No money moves here, and no text leaves.

A process of its own: it imports nothing of the portal, and of the portal only the launcher starts it.
Modules named `stripe_*` and `twilio_*` speak those providers' protocols; the others serve both.
"""
