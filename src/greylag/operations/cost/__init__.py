"""`greylag cost`: what a project costs a month, what moving it costs, and what other choices would cost."""
