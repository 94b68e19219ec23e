"""Mutation testing: small changes of the code, one at a time, each of which some test should notice.

`python -m tests.mutation` makes the changes (`sites`, `operators`, `mutants`), records once which tests run which lines
(`recorder`, `recording`), runs those tests against each change in private copies of the repository (`trees`, `server`,
`run`), and prints the changes that no test notices (`report`).
"""
