# mirror_bench_stages: what `magic-mirror bench` times.
mirror_engine_library(mirror_bench_stages
  SOURCES bench.cpp bench_weights.cpp
  PUBLIC mirror_core mirror_weights
  PRIVATE mirror_session mirror_random_checkpoint mirror_cogvideox mirror_magic_mirror mirror_tensor mirror_text mirror_vae)
