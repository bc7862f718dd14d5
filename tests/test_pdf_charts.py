"""Bars on paper that go on over several pages."""

from core.pdf_charts import Bar, Bars

BARS = [Bar("Ultrasound", 100, "100"), *(Bar(f"Other {each}", 10, "10") for each in range(9))]


def parted(height: float, count: int = len(BARS)) -> list[int]:
    """How many bars each part has where there is room for so many points."""
    bars = Bars(BARS[:count], "Visits by service")
    bars.wrap(400, height)
    return [len(part._bars) for part in bars.split(400, height)]


def test_no_bar_stands_alone_on_a_page() -> None:
    assert parted(6 + 5 * 18) == [5, 5]
    assert parted(6 + 9 * 18) == [8, 2]
    assert parted(6 + 18) == [], "on the next page, with the others"
    assert parted(6 + 2 * 18, 3) == []


def test_bars_on_the_next_page_are_as_long_as_they_would_be_on_the_first() -> None:
    first, second = Bars(BARS, "Visits by service").split(400, 6 + 5 * 18)
    assert (first._longest, second._longest) == (100, 100)
    [third, _fourth] = second.split(400, 6 + 2 * 18)
    assert third._longest == 100
