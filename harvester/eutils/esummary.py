PATH = "esummary.fcgi"


def read(body):
    raise NotImplementedError
