import pyarrow as pa

NCHECK = pa.schema([pa.field("has_neighbor", pa.bool_())])
LCHECK = pa.schema([pa.field("has_linkout", pa.bool_())])


def read_ncheck_json(body):
    raise NotImplementedError


read_ncheck_xml = read_lcheck_json = read_lcheck_xml = read_ncheck_json
