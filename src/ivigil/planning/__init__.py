"""From facts and evidence to a plan: pure steps, no clock, no network, no clinical number."""
