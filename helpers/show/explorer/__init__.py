"""The explorer: be the scheduler of a scenario, in a notebook and on a saved page."""

# at once, unlike elsewhere: the module inside has the name of the function that it offers
from helpers.show.explorer.explorer import explorer
from helpers.show.figures.replay_lanes import replay_lanes

__all__ = ["explorer", "replay_lanes"]
