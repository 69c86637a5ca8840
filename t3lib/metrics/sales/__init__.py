"""What was sold: totals, comparisons, periods, breakdowns and growth."""
