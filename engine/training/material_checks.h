#pragma once

// What makes a picture or a clip fit for training, measured on plain pictures: nothing here reads a file or knows a
// model.

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"
#include "engine/training/material_options.h"

namespace mirror::engine::training {

// uint8 [3, H, W].
at::Tensor pixels_of(const Frame& picture);

// 64 bits that survive a resize, a change of brightness and a new compression: which of two neighbours in a grid of
// nine by eight means is the brighter one.
std::uint64_t perceptual_hash(const at::Tensor& pixels);
int different_bits(std::uint64_t a, std::uint64_t b);

// Variance of the Laplacian of the grey values of a picture [3, H, W] in -1..1, in squared grey levels of 0..255.
double sharpness_of(const at::Tensor& signal);

// Degrees, from where the nose lies between the eyes.
double yaw_of(const FaceBox& face);

// Mean change of the grey values between two pictures of one size, 0..255.
double motion_between(const at::Tensor& before, const at::Tensor& after);

// Why a face, or the number of faces, is not good enough, as the end of a sentence: "the face is 40 pixels large, less
// than 128"; nothing if it is.
std::optional<std::string> face_objection(const std::vector<FaceBox>& faces, int width, int height,
                                          const MaterialOptions& options);

// What is cut out of a picture: pixels of it. With `padded` it is the whole picture, and the result gets black bars
// left and right.
struct Window {
    double x = 0, y = 0, width = 0, height = 0;
    bool padded = false;
};

// The window of the result's shape around the faces of one person, as large as the limits allow, the face a little
// above the middle. Where the person is too large for any, and the picture is tall enough, a padded one; nothing if
// that does not fit either.
std::optional<Window> window_around(const std::vector<FaceBox>& faces, int width, int height,
                                    const MaterialOptions& options);

// pixels [3, H, W] -> float32 [3, height, width] in -1..1, resized with an antialiased bicubic.
at::Tensor cut_out(const at::Tensor& pixels, const Window& window, int width, int height);
// Where a face is then.
FaceBox moved(const FaceBox& face, const Window& window, int width, int height);

}  // namespace mirror::engine::training
