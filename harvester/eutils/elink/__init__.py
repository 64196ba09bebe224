"""ELink: its cmds, the request as a form body, and the answer as rows."""
