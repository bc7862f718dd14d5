"""Amounts in minor units, as people read them."""

WITHOUT_MINOR = {
    *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"),
    *("pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"),
}
WITH_THREE = {"bhd", "jod", "kwd", "omr", "tnd"}
# The least a card can be charged, where it is known.
LEAST = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50}


def written(amount: int, currency: str) -> str:
    """`4,500 JPY`, `45.00 EUR`."""
    places = 0 if currency in WITHOUT_MINOR else 3 if currency in WITH_THREE else 2
    return f"{amount / 10**places:,.{places}f} {currency.upper()}"
