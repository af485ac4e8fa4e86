"""Who leaves a panel, and weights for those who stay.

Knows: models of staying, and what follows from them.
May import: the rest of `measure`; numpy and statsmodels, when a model is fitted.
Gives out: `contrast`, the weights with their summaries, and `r_indicator`.
"""
