"""What card providers and the bank say of the made-up fleet: settlements/, terminals.csv, banking.csv, and a truth.

Trucks 1 and 2 share an account with SumUp, the others have accounts with Square, Zettle and Stripe; the sixth takes no
cards. Each account is paid out once a business day, less fees, refunds and chargebacks, some working days later. One
payout in half a year is lost, one comes twice; a truck once banks 20 pounds too little. The providers also know card
sales whose file never came."""

from t3lib.simulate.settled.making import Settled, settled

__all__ = ["Settled", "settled"]
