"""The Hyper-Thinking Engine: six phases, each a stored typed record. This form runs on rules."""
