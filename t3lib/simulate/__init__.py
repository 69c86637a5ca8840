"""A made-up fleet in the layout of the real bucket, with a truth to check an ingest against.

The files that people keep by hand, in metadata/ (amounts in pounds, dates as ISO):

details.xlsx  sheet trucks: ID (as float), NAME, DESCRIPTION, HAS_CARD_READER (YES/NO), FSA_RATING_22;
              sheet locations: ID, NAME, then 18 blank rows, the last of them spaces
menu.csv      truck_id, menu_item, menu_type, price, unit_cost: one row per truck and item; the prices of one
              truck differ; unit_cost is what the ingredients of one portion cost
pitches.csv   truck_id, location_id, from, to, event, fee, fee_per, fee_percent: one row per stay [from, to), ISO
              moments with offset, at the starts of business days (04:00 London); stays of one truck do not overlap; a
              fee per business day or for the stay, a percentage of the sales made there, or both
costs.csv     truck_id, cost, amount, per, from: one row per cost and change; in force from a business date until
              the next row of the same truck and cost. An empty truck_id means the fleet: per `day` or `month` is
              then one amount for the fleet together, per `sale` or `percent` holds for each truck's sales.
              per `month` is a calendar month, per `hour` a trading hour. Percent costs: vat (the share of the net
              price that sales include on top) and card_fee (of card sales). The others: office, packaging, wages,
              fuel, insurance

What card providers and the bank say of it is made by `t3lib.simulate.settled`.
"""

from t3lib.simulate.live import LiveUpload, live_upload, live_uploads
from t3lib.simulate.simulation import Summary, simulate

__all__ = ["LiveUpload", "Summary", "live_upload", "live_uploads", "simulate"]
