"""`greylag init`: a first greylag.yaml from what a folder holds.

`survey` looks (folder, compose files, environment files, code, data files, a MongoDB), `proposal` decides, `writing`
writes. Reads the folder and databases only; the one thing it ever writes is a greylag.yaml that was not there.
"""
