"""Why a row was not loaded, and what was odd about one that was: codes and their plain sentences."""

REASONS: dict[str, str] = {
    "missing_total": "The total is empty, 'blank' or 'NULL'.",
    "void": "The sale was voided on the till.",
    "error_marker": "The till wrote an error marker instead of a total.",
    "not_a_number": "The total is not an amount of money.",
    "zero": "The total is zero.",
    "negative": "The total is negative.",
    "decimal_shift": "The total is 100 times a price that this truck sells at: a lost decimal point.",
    "above_limit": "The total is far above anything that this truck sells.",
    "bad_timestamp": "The time cannot be read.",
    "future": "The time lies after the file was uploaded.",
    "too_old": "The time lies before the company's first year.",
    "unknown_payment_type": "The payment is neither card nor cash.",
    "wrong_cells": "The row has more or fewer cells than the first line has names.",
}

FLAGS: dict[str, int] = {"card_without_reader": 1, "outside_batch_window": 2, "unknown_truck": 4}

FLAG_SENTENCES: dict[str, str] = {
    "card_without_reader": "A card sale at a truck without a card reader (loaded).",
    "outside_batch_window": "Sold outside the three hours that the batch covers (loaded).",
    "unknown_truck": "The truck is not in details.xlsx (loaded).",
}


def flag_names(flags: int) -> list[str]:
    """The names in a sale's flags."""
    return [name for name, bit in FLAGS.items() if flags & bit]
