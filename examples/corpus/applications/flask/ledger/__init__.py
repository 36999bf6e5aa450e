"""A ledger of parcels."""
