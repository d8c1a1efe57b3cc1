"""How users and the owner are told; knows no domain."""
