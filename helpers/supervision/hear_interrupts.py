"""Preloaded by a forkserver that was started deaf to Ctrl-C: it, and the children that it forks, hear it again."""

from helpers.supervision.start_hooks import let_interrupts_through

let_interrupts_through()
