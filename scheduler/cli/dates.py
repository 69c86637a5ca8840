"""Dates and ranges of dates as options."""

from datetime import date

from t3lib.problems import WrongUseError


def day_of(text: str, option: str) -> date:
    """The date of an option. Raises WrongUseError, which names the option."""
    from t3lib import business_day

    try:
        return business_day.day_of(text)
    except ValueError as error:
        raise WrongUseError(f"{option} {error}") from None


def days_of(text: str, option: str) -> tuple[date, date]:
    """The range of an option, DATE or DATE..DATE, both included. Raises WrongUseError, which names the option."""
    from t3lib import business_day

    try:
        return business_day.days_of(text)
    except ValueError as error:
        raise WrongUseError(f"{option} {error}") from None
