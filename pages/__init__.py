"""The screens, one folder a role; `ui` holds what they share."""
