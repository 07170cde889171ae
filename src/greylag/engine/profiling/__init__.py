"""Profiles of datasets: types, sizes, distinct values and candidate keys, in bounded memory."""
