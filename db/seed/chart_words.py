"""What stands in the charts of the demo clinic."""

# Notes for visits of anybody, by turns.
NOTES = [
    {
        "reason": "Cough and runny nose for five days.",
        "findings": "Throat red, lungs clear, no fever.",
        "assessment": "Cold.",
        "plan": "Rest and fluids. Back if it lasts more than ten days.",
    },
    {
        "reason": "Follow-up of blood pressure.",
        "findings": "Readings at home between 125 and 138. No swelling of the legs.",
        "assessment": "Blood pressure well controlled.",
        "plan": "Medication as before. Next look in six months.",
    },
    {
        "reason": "Pain in the lower back since the weekend, after moving house.",
        "findings": "Muscles tense on both sides, no weakness, reflexes equal.",
        "assessment": "Back pain without alarming signs.",
        "plan": "Keep moving, warmth, exercises shown. Back in two weeks if no better.",
    },
    {
        "reason": "Yearly check-up.",
        "findings": "Nothing remarkable. Blood was taken.",
        "assessment": "In good health.",
        "plan": "Results by letter. Tetanus vaccination due next year.",
    },
    {
        "reason": "Itching rash on both forearms.",
        "findings": "Dry, red patches without blisters.",
        "assessment": "Eczema, probably from a new soap.",
        "plan": "Leave out the soap, cream twice a day for two weeks.",
    },
    {
        "reason": "Talk about the results.",
        "findings": "Cholesterol slightly raised, the rest as it should be.",
        "assessment": "Low risk for the next ten years.",
        "plan": "Advice on food and exercise. Again in a year.",
    },
    {
        "reason": "Tired for weeks, sleeps badly.",
        "findings": "Pale, otherwise nothing remarkable. Blood was taken.",
        "assessment": "Tiredness, cause open.",
        "plan": "Talk about the results next week. A sleep diary until then.",
    },
]

# The mother's two visits, the earlier one first.
WRITTEN = [
    {
        "reason": "Headaches behind the left eye, two or three times a month, with flickering before them.",
        "findings": "Awake and oriented. Pupils equal, no stiffness of the neck, no weakness.",
        "assessment": "Migraine with aura, no alarming signs.",
        "plan": "Sumatriptan at an attack. A trial of propranolol to prevent them. A headache diary.",
        "weight_grams": 64200,
        "height_mm": 1680,
        "systolic_mmhg": 124,
        "diastolic_mmhg": 78,
        "pulse_bpm": 68,
        "temperature_decidegrees": 366,
        "spo2_percent": 98,
    },
    {
        "reason": "Follow-up of the migraine. Brings her diary: five attacks in two months.",
        "findings": "Between attacks nothing remarkable. Laboratory findings still to come.",
        "assessment": "Migraine with aura, more frequent than before.",
        "plan": "Referral to neurology. Sumatriptan again. Unfit for work for two days after today's attack.",
        "weight_grams": 63800,
        "systolic_mmhg": 118,
        "diastolic_mmhg": 76,
        "pulse_bpm": 64,
    },
]
AMENDED = {
    "findings": "Between attacks nothing remarkable. Laboratory: ferritin 9 µg/l (low), the rest normal.",
    "plan": (
        "Referral to neurology. Sumatriptan again. Iron for three months, then another blood test. "
        "Unfit for work for two days after today's attack."
    ),
    "amendment": "The laboratory has called with its findings.",
}
SUMATRIPTAN = {
    "drug": "Sumatriptan",
    "strength": "50 mg",
    "form": "tablet",
    "dose": "1 tablet",
    "frequency": "at an attack, at most twice a day",
    "quantity": "12 tablets",
    "instructions": "Not before the flickering is over.",
}
TRIED = {
    "drug": "Propranolol",
    "strength": "40 mg",
    "form": "tablet",
    "dose": "1 tablet",
    "frequency": "in the evening",
    "duration": "4 weeks",
    "quantity": "28 tablets",
}
REFERRAL = (
    "Dr. Henrike Vogt\nNeurology\nKastanienring 40\n12435 Berlin",
    "Dear colleague,\n\nthank you for seeing Katharina Lindner, who has had migraine with aura for years. "
    "The attacks have become more frequent: five in the last two months.\n\n"
    "Question: is there something to prevent them? Propranolol was not tolerated.\n\n"
    "Known problems: Migraine with aura\nAllergies: Penicillin\nMedication: Sumatriptan 50 mg\n\n"
    "With kind regards,\n{doctor}",
)
SICK_NOTE = (
    "To whom it may concern,\n\nKatharina Lindner was seen at Lindenhof Clinic on {first} and cannot work "
    "from {first} until {last}, both days included.\n\n{doctor}"
)
ATTACHED = [  # plain ASCII without brackets: it is written into a PDF as it stands
    "Laboratory Spreebogen - findings",
    "Katharina Lindner",
    "Haemoglobin   12.1 g/dl     12.0 - 15.5",
    "Ferritin       9 ug/l       15 - 150   low",
    "TSH            1.8 mU/l     0.4 - 4.0",
]

# What is asked before visits: the question, how it is answered, the choices, whether it has to be, and what
# the mother answers.
QUESTIONS: list[tuple[str, str, list[str], bool, str]] = [
    ("What brings you to us?", "text", [], True, "The headaches again, and I am tired a lot."),
    (
        "How long has it been going on?",
        "choice",
        ["Since yesterday or today", "For some days", "For weeks", "For longer"],
        False,
        "For weeks",
    ),
    ("Do you take any medicine regularly?", "yes_no", [], True, "no"),
]
