"""How complete and fresh the figures are, what needs attention, and what was restated."""
