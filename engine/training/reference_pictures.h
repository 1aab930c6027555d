#pragma once

// References of drawn people as the identity networks want them: the aligned face, and the square crop for the vision
// tower, both changed a little so that nothing is learned by heart.

#include <ATen/ATen.h>

#include "engine/core/face.h"
#include "engine/training/drawn_data.h"

namespace mirror::engine::training {

// What of the augmentations is done, each with its own chance; off() does nothing.
struct ReferenceChanges {
    static ReferenceChanges off() { return {0, 0, 0, 0, 0, 0, 0}; }
    // Of the portraits that an adapter is trained with.
    static ReferenceChanges for_adapter() {
        ReferenceChanges changes;
        changes.coarse = 0.1;
        changes.jpeg = 0.5;
        return changes;
    }
    static ReferenceChanges for_photographs() {
        ReferenceChanges changes = for_adapter();
        changes.flip = 0.5;
        return changes;
    }

    double flip = 0.0;      // Chance of mirroring. A drawn person who parts the hair on the other side is another one.
    double scale = 0.15;    // Largest relative change of the crop's side.
    double shift = 0.05;    // Largest shift, in sides.
    double rotate = 0.175;  // Largest angle, radians.
    double colour = 0.2;    // Largest change of each channel's gain.
    double coarse = 0.0;    // Chance of losing the fine detail, as a small picture does.
    double jpeg = 0.0;      // Chance of losing what a JPEG of quality 60 to 95 loses.
};

struct ReferencePictures {
    at::Tensor aligned;  // float32 [3, 112, 112], -1..1 as the recogniser reads them
    at::Tensor crop;     // float32 [3, size, size], normalised as the vision tower reads them
};

// One frame of a clip. `expand`: the crop's side over the longer side of the face box.
ReferencePictures reference_pictures(const DrawnClip& clip, std::int64_t frame, std::int64_t crop_size, double expand,
                                     const ReferenceChanges& changes, RandomStream& random);

// The same of a picture [3, H, W] in -1..1.
ReferencePictures reference_pictures(const at::Tensor& picture, const FaceBox& face, std::int64_t crop_size,
                                     double expand, const ReferenceChanges& changes, RandomStream& random);

// The face as the recogniser reads it: five landmarks brought to their places by the least-squares similarity, sampled
// bilinearly. picture [3, H, W]; gradients pass to it.
at::Tensor aligned_face(const at::Tensor& picture, const std::array<Point, 5>& landmarks);

}  // namespace mirror::engine::training
