#pragma once

// Drawn people for training the judge: single pictures, and clips with an action, spoiled as a model's pictures are.

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/training/people/people.h"
#include "engine/training/random_stream.h"
#include "engine/training/training_task.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine::training {

struct JudgeData {
    static JudgeData read(const ConfigReader& file);

    std::int64_t people = 5000;
    int frames = 17;                     // Of a clip.
    std::int64_t pictures_per_clip = 5;  // So many samples of a batch are pictures for every clip beside them.
    double portraits = 0.35;             // Share of calm portraits among the pictures.
    double styles = 0.15;                // Of each style other than the first.
    double spoil = 1.0;                  // How far pictures are blurred, tinted and made noisy; 0: not at all.
};

struct JudgePictures {
    at::Tensor pictures;  // [N, 3, 96, 96], -1..1
    at::Tensor faces;     // [N, 14] as SeenFrames has them
    at::Tensor codes;     // [N, kIdentityCodeLength]
    at::Tensor classes;   // [N], the index of the person in the split; so are the next two
    at::Tensor places;
    at::Tensor styles;
};

struct JudgeClips {
    at::Tensor clips;           // [N, T, 3, 96, 96]
    at::Tensor actions;         // [N]
    std::int64_t of_batch = 0;  // How many the whole batch has.
};

// The samples of one place in the run; they are always the same.
JudgePictures judge_pictures(const JudgeData& data, people::Split split, const BatchPlace& place);
JudgeClips judge_clips(const JudgeData& data, people::Split split, const BatchPlace& place);

// `pictures` of each of `people` persons, person by person, the last one out of a scene and the others portraits; not
// spoiled.
JudgePictures judge_gallery(const JudgeData& data, people::Split split, std::int64_t people, std::int64_t pictures);

// Frames of one clip [T, 3, H, W] a little blurred, tinted and noisy, by chance and all alike but for the noise.
at::Tensor spoiled(const at::Tensor& frames, double strength, RandomStream& random);

}  // namespace mirror::engine::training
