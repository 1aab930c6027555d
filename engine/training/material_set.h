#pragma once

// A folder of the user's own pictures and videos, made ready for training: judged, cut, encoded, and paired with
// references of the same person. What was made once lies in a cache by the content of the file and of everything it
// depends on, so that a second run only reads it.

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/training/latent_cache.h"
#include "engine/training/material_captions.h"
#include "engine/training/material_options.h"
#include "engine/training/material_reader.h"
#include "engine/training/reference_encoder.h"

namespace mirror::engine::training {

struct MaterialItem {
    std::string name;                         // Its path below the folder.
    std::string caption;                      // As the user wrote it; of a padded picture with the bars named.
    LatentClip still;                         // One frame.
    LatentClip clip;                          // options.frames frames; latents undefined for a picture.
    at::Tensor embedding;                     // Of the face, raw; undefined without an encoder.
    std::vector<ReferenceFeatures> features;  // Portraits of this item; empty without an encoder.
    at::Tensor picture;                       // uint8 [3, H, W], the still, to show
    std::vector<std::int64_t> partners;       // Other items with the same person.
    std::int64_t person = 0;                  // The smallest item of that person; without an encoder the item's own.
};

struct MaterialSet {
    std::vector<MaterialItem> items;  // In the order of their names.
    std::int64_t reused = 0;          // Of the files: read from the cache, judgement or item.
    std::int64_t left_out = 0;
};

struct MaterialSources {
    MaterialReader* reader = nullptr;
    const LatentSource* latents = nullptr;
    const ReferenceEncoder* encoder = nullptr;  // Null: the stage needs no references.
    std::string trigger = "img";
    std::filesystem::path run_folder;                // Gets material.csv: what became of every file.
    std::function<void(const std::string&)> notice;  // One sentence for each file that is left out, then a summary.
    std::stop_token stop;
    std::function<bool()> time_is_over;  // Asked before each file.
};

// EngineError: MissingFile (no such folder), InvalidRequest (nothing usable), WriteFailed, Cancelled; OutOfTime, of
// which it is one. What was prepared until then is kept.
MaterialSet prepare_material(const MaterialOptions& options, const MaterialSources& sources);

// Which items show the same person: fills partners and person. `similarity` is a cosine.
void pair_items(std::vector<MaterialItem>& items, double similarity);

}  // namespace mirror::engine::training
