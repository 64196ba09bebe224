def read_run(folder, dbfrom):
    raise NotImplementedError


def targets(table, dbfrom):
    raise NotImplementedError
