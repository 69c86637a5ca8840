"""The journal of a business day for an accounting program.

accounts     which part of a day goes to which account, and the layouts of programs (notebooks/accounts.toml)
entries      the lines of a day: debits equal credits
locked       the journals that were exported, in ops.journal: written once
export       exports days and corrections, and writes their files
corrections  locked days whose figures changed since"""
