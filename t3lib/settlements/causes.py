"""What the causes of the matching mean, and what to do; docs/settlements.md has the same table."""

# code: (what it means, what a person does)
CAUSES: dict[str, tuple[str, str]] = {
    "paid": ("The payout reached the bank.", ""),
    "nothing_to_pay": ("Refunds and fees used up the sales: there was nothing to pay out.", ""),
    "banked": ("The cash was paid in.", ""),
    "float": ("Kept in the till as change.", ""),
    "explained": ("A person said where it is.", ""),
    "written_off": ("A person gave it up.", ""),
    "paid_out": ("The provider has paid it out; the bank does not have it yet.", ""),
    "not_paid_out": ("The provider reports the sales but no payout of them.", "ask the provider"),
    "no_report": ("No provider's file reaches this day yet.", "upload the provider's report"),
    "no_statement": ("No bank statement reaches the expected day yet.", "upload the bank statement"),
    "not_banked_yet": ("Cash that is still to be paid in.", ""),
    "payout_missing": ("The provider paid it out, and it never reached the bank.", "ask the provider for the payout"),
    "paid_less": ("The bank got less than the payout says.", "ask the provider for the difference"),
    "paid_more": ("The bank got more than the payout says.", "ask the provider"),
    "paid_twice": ("The bank got the same payout twice: the provider will take one back.", "keep it apart"),
    "no_payout": ("A payout on the bank account that no provider's file tells of.", "upload the provider's report"),
    "taken": ("The provider took money that no file of it tells of.", "upload the provider's report"),
    "not_in_report": ("Card sales of the till that the provider does not have.", "compare till and terminal"),
    "not_in_till": ("Card sales of the provider that no till file has.", "look for a missing or rejected file"),
    "no_account": ("Card sales of a truck without a provider's account.", "name its account in metadata/terminals.csv"),
    "not_banked": ("Cash that was not paid in by its day.", "ask the truck"),
    "banked_less": ("Less cash was paid in than was sold.", "count the till"),
    "banked_more": ("More cash was paid in than was sold.", "look for a missing or rejected file"),
    "cash_of_nobody": ("Cash on the bank account whose text names no truck.", "name the text in metadata/banking.csv"),
}  # fmt: skip

STATES: dict[str, str] = {
    "settled": "Reached the bank, or went into fees, refunds and chargebacks of a payout that did.",
    "on_its_way": "Expected by a day that has not passed.",
    "short": "Should have come and did not.",
    "not_explained": "Nothing says where it is.",
    "over": "Money without sales, on top of them.",
}


def said(cause: str) -> str:
    """What a cause means and what to do, as sentences."""
    means, todo = CAUSES[cause]
    return f"{means} {todo[:1].upper()}{todo[1:]}." if todo else means
