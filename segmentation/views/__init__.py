"""Screens that show where customers stand: the list, accounts and contribution of one, the overview, the nights."""
