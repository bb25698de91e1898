"""Which globals a pickle of a fitted model may name: a list of what is let in, not a search for what is bad. Pure.

Names are exact where a package has few that a fitted model needs. Where it has many (scikit-learn) its classes are let
in, told by a capital letter as Python's style has it, from modules that neither read files nor run what they are given.
A name with a dot is none: it would reach what the module itself imported (``sklearn.base`` and ``os.system``).

>>> [is_allowed(name) for name in ("sklearn.pipeline.Pipeline", "sklearn.base.os.system", "os.system")]
[True, False, False]
>>> is_allowed("shop.features.Ratio", ["shop.features.*"])
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["is_allowed"]

_EXACT = frozenset(
    f"{module}.{name}"
    for modules, names in {
        "builtins __builtin__": "object set frozenset list dict tuple int float bool complex str bytes "
        "bytearray slice range",
        "copyreg copy_reg": "_reconstructor __newobj__ __newobj_ex__",
        "_codecs": "encode",
        "collections": "OrderedDict defaultdict deque Counter",
        "datetime": "date datetime time timedelta timezone",
        "decimal": "Decimal",
        "numpy": "ndarray dtype matrix bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 "
        "float32 float64 complex64 complex128 str_ bytes_ object_ datetime64 timedelta64 intc longlong "
        "log log1p log2 log10 exp expm1 sqrt cbrt square absolute sign reciprocal arcsinh tanh",
        "numpy.core.multiarray numpy._core.multiarray": "_reconstruct scalar",
        "numpy.core.numeric numpy._core.numeric": "_frombuffer",
        "numpy.ma numpy.ma.core": "MaskedArray _mareconstruct",
        "numpy.random._pickle": "__randomstate_ctor __generator_ctor __bit_generator_ctor",
        "numpy.random.mtrand": "RandomState",
        "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
        "numpy.random._mt19937": "MT19937",
        "numpy.random._pcg64": "PCG64",
        "numpy.random._generator": "Generator",
        "joblib.numpy_pickle": "NumpyArrayWrapper",
        "scipy.interpolate._bsplines": "BSpline",
        "scipy.interpolate._interpolate": "interp1d",
        "sklearn.feature_selection._univariate_selection": "f_classif f_regression chi2",
        "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression",
        "sklearn.metrics._dist_metrics sklearn.neighbors._kd_tree sklearn.neighbors._ball_tree": "newObj",
        "scipy._lib.array_api_compat.numpy._aliases": "asarray",
        "pandas": "Series DataFrame Index RangeIndex MultiIndex DatetimeIndex TimedeltaIndex IntervalIndex "
        "CategoricalIndex Categorical CategoricalDtype StringDtype DatetimeTZDtype Int64Dtype Float64Dtype "
        "BooleanDtype",
        "pyarrow.lib": "type_for_alias py_buffer _restore_array",
        "pandas.core.indexes.base": "_new_Index",
        "pandas.core.internals.blocks": "new_block",
        "pandas._libs.internals": "_unpickle_block",
        "pandas._libs.arrays": "__pyx_unpickle_NDArrayBacked",
        "xgboost.core": "Booster",
        "xgboost.sklearn": "XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor",
        "lightgbm.basic": "Booster",
        "lightgbm.sklearn": "LGBMModel LGBMClassifier LGBMRegressor LGBMRanker",
        "catboost.core": "CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker",
        "torch": "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage "
        "CharStorage ByteStorage BoolStorage Size device",
        "torch._utils": "_rebuild_tensor_v2 _rebuild_parameter",
    }.items()
    for module in modules.split()
    for name in names.split()
)
_CLASSES = re.compile(
    r"(?P<module>sklearn(\.\w+)*|pandas\.arrays|pandas\.core\.(frame|series|indexes\.\w+|internals\.\w+|arrays(\.\w+)*|dtypes\.\w+)"
    r"|torch\.nn\.modules\.\w+)\._?(?P<name>[A-Z]\w*)"
)
_BY_CYTHON = re.compile(r"sklearn(\.\w+)*\.__pyx_unpickle_\w+")
_SPARSE = re.compile(r"scipy\.sparse\.(_?(csr|csc|coo|bsr|dia|dok|lil))\.(csr|csc|coo|bsr|dia|dok|lil)_(matrix|array)")
_RISKY = frozenset(["_testing", "_mocking", "conftest", "datasets", "externals", "fixes", "parallel", "tests"])
"""Parts of scikit-learn that open files, run commands, or call what they are given."""


def is_allowed(name: str, further: Iterable[str] = ()) -> bool:
    """Whether a global is let in; ``further`` are names, or packages as in ``shop.features.*``."""
    if name in _EXACT or _SPARSE.fullmatch(name):
        return True
    if any(name == one or (one.endswith(".*") and name.startswith(one[:-1])) for one in further):
        return True
    found = _CLASSES.fullmatch(name) or _BY_CYTHON.fullmatch(name)
    return found is not None and not _RISKY & set(name.split("."))
