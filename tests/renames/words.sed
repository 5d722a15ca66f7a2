# What a trace or a scenario called otherwise before: each line is one rename, old to new, and nothing else.
