"""`greylag verify --certificate` and `greylag certificate check`: what a verification found, as a document that
either side alone can be held against. docs/certificate.md specifies it.
"""
