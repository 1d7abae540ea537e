"""Read Parquet and Feather by pyarrow, after the sizes that the file declares were held against its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.cells import is_gap
from deepcluster_pl.data.tables.frame import Column, Frame, Text
from deepcluster_pl.data.tables.names import distinct_names
from deepcluster_pl.data.tables.opening import MAX_INFLATION, inflation_limit
from deepcluster_pl.errors import UserError, first_line

_MAX_COLUMNS = 1_000_000


def read_columnar(path: Path, suffix: str) -> Frame:
    """Read a Parquet or Feather file.

    Args:
        path: the file.
        suffix: .parquet, .pq, .feather or .arrow.

    Raises:
        UserError: pyarrow is missing, or the file is damaged or would grow beyond measure.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise UserError(f"reading {suffix} needs pyarrow; type: pip install 'deepcluster_pl[parquet]'") from error
    name = "Parquet" if suffix in (".parquet", ".pq") else "Feather"
    try:
        table = _read_parquet(path) if name == "Parquet" else _read_feather(path)
        return frame_from_arrow(table, path.name)
    except UserError:
        raise
    except Exception as error:  # a damaged file can make the reader fail in any way
        if isinstance(error, MemoryError) and not isinstance(error, pa.lib.ArrowException):
            raise UserError(f"{path.name}: memory is not enough for it") from error
        raise UserError(f"{path.name} cannot be read as a {name} file: {first_line(error)[:300]}") from error


def _read_parquet(path: Path) -> Any:
    """Read a Parquet file whose values fit into a multiple of its size."""
    import pyarrow.parquet as pq

    limit = inflation_limit(path.stat().st_size)
    with pq.ParquetFile(path, thrift_string_size_limit=2**26, thrift_container_size_limit=2**22) as file:
        metadata = file.metadata
        n_rows, n_columns = metadata.num_rows, metadata.num_columns
        declared = 0
        for i in range(metadata.num_row_groups):
            group = metadata.row_group(i)
            if group.num_rows < 0:
                raise ValueError(f"row group {i} declares {group.num_rows} rows")
            # Details of single columns are not asked for: where those are damaged, pyarrow ends the whole process
            declared += max(group.total_byte_size, 8 * group.num_rows * n_columns)
        if n_rows < 0 or max(declared, 8 * n_rows * n_columns) > limit:
            grown = max(declared, 8 * n_rows * n_columns)
            raise ValueError(f"it would grow to {grown:,} bytes, more than {MAX_INFLATION} times its size")
        return file.read(use_threads=False)


def _read_feather(path: Path) -> Any:
    """Read a Feather or Arrow file, one batch at a time, so that it never grows beyond a multiple of its size."""
    import pyarrow as pa

    limit = inflation_limit(path.stat().st_size)
    with pa.OSFile(str(path)) as source:
        reader = pa.ipc.open_file(source)
        batches, n_bytes = [], 0
        for i in range(reader.num_record_batches):
            batch = reader.get_batch(i)
            batch.validate(full=True)
            n_bytes += batch.nbytes
            if n_bytes > limit:
                raise ValueError(f"it grows to more than {MAX_INFLATION} times its size")
            batches.append(batch)
        return pa.Table.from_batches(batches, reader.schema)


def frame_from_arrow(table: Any, source: str) -> Frame:
    """Return the columns of an Arrow table.

    Args:
        table: a `pyarrow.Table`.
        source: name of the file, for messages.

    Raises:
        UserError: there are no rows.
    """
    names = [str(name) for name in table.column_names]
    if not table.num_rows or not names:
        raise UserError(f"{source}: found {table.num_rows} rows of {len(names)} columns, expected some")
    names, remark = distinct_names(names)
    numbers: dict[str, NDArray[Any]] = {}
    others: dict[str, Column] = {}
    unusable: dict[str, str] = {}
    for name, column in zip(names, table.columns, strict=True):
        converted = _convert(column)
        if isinstance(converted, str):
            unusable[name] = converted
        elif isinstance(converted, Text) or converted.dtype.kind != "f" or converted.ndim > 1:
            others[name] = converted
        else:
            numbers[name] = converted
    matrix = np.empty((table.num_rows, len(numbers)))
    for j, values in enumerate(numbers.values()):
        matrix[:, j] = values
    return Frame(source, names, matrix, list(numbers), others, _index_names(table), unusable, [remark] * bool(remark))


def _convert(column: Any) -> Column | str:
    """Return a column as numbers, times, lists or text; or the reason why it cannot be a feature."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if pa.types.is_duration(kind):
        return np.asarray(column.cast(pa.int64(), safe=False).cast(pa.float64(), safe=False).to_numpy())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return np.asarray(column.cast(pa.timestamp("s"), safe=False).to_numpy()).astype("datetime64[s]")
    if pa.types.is_time(kind):
        column, kind = column.cast(pa.string()), pa.string()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        column.validate(full=True)
        encoded = pc.dictionary_encode(column.cast(pa.large_string())).combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.large_string()).dictionary_encode()
        levels = np.array(encoded.dictionary.to_pylist(), dtype=object)
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        return without_markers(Text(codes, levels))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _to_lists(column)
    return f"a column of {str(kind)[:40]}"


def _to_lists(column: Any) -> Column | str:
    """Return lists of one length as (N, D); or the reason why they cannot be a feature."""
    import pyarrow as pa
    import pyarrow.compute as pc

    inner = column.type.value_type
    if not (pa.types.is_integer(inner) or pa.types.is_floating(inner)):
        return f"lists of {str(inner)[:40]}"
    column.validate(full=True)
    lengths = pc.unique(pc.list_value_length(column).drop_null()).to_pylist()
    if len(lengths) != 1 or lengths[0] < 1:
        return f"lists of {len(lengths)} lengths" if lengths else "no lists"
    values = np.full((len(column), lengths[0]), np.nan)
    known = np.asarray(column.is_valid())
    flat = np.asarray(pc.list_flatten(column).cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    values[known] = flat.reshape(-1, lengths[0])
    return values


def without_markers(text: Text) -> Text:
    """Return text whose cells such as `NA` and `?` are gaps, as in a table of text."""
    marked = np.array([is_gap(str(level)) for level in text.levels.tolist()] + [True])
    return (
        Text(np.where(marked[text.codes], -1, text.codes).astype(np.int32), text.levels) if marked[:-1].any() else text
    )


def _index_names(table: Any) -> tuple[str, ...]:
    """Return the columns that pandas stored its row index in."""
    try:
        metadata = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
        return tuple(str(name) for name in metadata.get("index_columns", []) if isinstance(name, str))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return ()
