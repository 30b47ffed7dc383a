"""What JAX has compiled for one test serves the others, too."""

import pytest


@pytest.fixture(autouse=True, scope='session')
def compiled_once(tmp_path_factory):
    jax = pytest.importorskip('jax')
    cache = str(tmp_path_factory.mktemp('compiled'))
    jax.config.update('jax_compilation_cache_dir', cache)
    jax.config.update('jax_persistent_cache_min_compile_time_secs', 0)
    jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)
