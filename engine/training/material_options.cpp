#include "engine/training/material_options.h"

#include <sstream>

namespace mirror::engine::training {

namespace {

constexpr int kLargestSide = 8192;
constexpr int kHashBits = 64;

void read_sizes(const ConfigReader& file, MaterialOptions& options) {
    options.width = static_cast<int>(file.integer_or("width", options.width, 32, kLargestSide));
    options.height = static_cast<int>(file.integer_or("height", options.height, 32, kLargestSide));
    if (options.width % 16 != 0) file.refuse("width", "must be divisible by 16");
    if (options.height % 16 != 0) file.refuse("height", "must be divisible by 16");
    options.frames = static_cast<int>(file.integer_or("frames", options.frames, 1, 1025));
    if (options.frames % 8 != 1) file.refuse("frames", "must be 1, 9, 17 and so on: one more than a multiple of 8");
    options.frames_per_second = file.number_or("frames_per_second", options.frames_per_second, 0.1, 120.0);
    options.still_share = file.number_or("still_share", options.still_share, 0.0, 1.0);
    options.held_out = file.number_or("held_out", options.held_out, 0.0, 0.5);
    options.references = file.integer_or("references", options.references, 1, 64);
}

void read_faces(const ConfigReader& file, MaterialOptions& options) {
    const auto share = [&](const char* key, double& value) { value = file.number_or(key, value, 0.0, 1.0); };
    options.least_side = static_cast<int>(file.integer_or("least_side", options.least_side, 1, kLargestSide));
    options.face_side = static_cast<int>(file.integer_or("face_side", options.face_side, 1, kLargestSide));
    share("face_score", options.face_score);
    share("least_face_area", options.least_face_area);
    share("most_face_area", options.most_face_area);
    share("least_face_height", options.least_face_height);
    share("most_face_height", options.most_face_height);
    options.most_yaw = file.number_or("most_yaw", options.most_yaw, 0.0, 90.0);
    options.sharpness = file.number_or("sharpness", options.sharpness, 0.0, 1e6);
    options.duplicate_bits = static_cast<int>(file.integer_or("duplicate_bits", options.duplicate_bits, 0, kHashBits));
    options.similarity = file.number_or("similarity", options.similarity, -1.0, 1.0);
    options.self_reference = file.boolean_or("self_reference", options.self_reference);
    share("clip_faces", options.clip_faces);
    options.clip_similarity = file.number_or("clip_similarity", options.clip_similarity, -1.0, 1.0);
    options.least_motion = file.number_or("least_motion", options.least_motion, 0.0, 255.0);
    options.most_motion = file.number_or("most_motion", options.most_motion, 0.0, 255.0);
    if (options.least_face_area > options.most_face_area)
        file.refuse("least_face_area", "is larger than most_face_area");
    if (options.least_face_height > options.most_face_height)
        file.refuse("least_face_height", "is larger than most_face_height");
}

}  // namespace

MaterialOptions MaterialOptions::read(const ConfigReader& file) {
    file.refuse_unknown({"folder",           "cache",           "width",
                         "height",           "frames",          "still_share",
                         "held_out",         "references",      "frames_per_second",
                         "least_side",       "face_score",      "face_side",
                         "least_face_area",  "most_face_area",  "least_face_height",
                         "most_face_height", "most_yaw",        "sharpness",
                         "duplicate_bits",   "similarity",      "self_reference",
                         "clip_faces",       "clip_similarity", "least_motion",
                         "most_motion"});
    MaterialOptions options;
    options.folder = file.text("folder");
    options.cache = file.text_or("cache", "");
    read_sizes(file, options);
    read_faces(file, options);
    return options;
}

std::string MaterialOptions::fingerprint() const {
    std::ostringstream text;
    text << width << ' ' << height << ' ' << frames << ' ' << frames_per_second << ' ' << references << ' '
         << least_side << ' ' << face_score << ' ' << face_side << ' ' << least_face_area << ' ' << most_face_area
         << ' ' << least_face_height << ' ' << most_face_height << ' ' << most_yaw << ' ' << sharpness << ' '
         << clip_faces << ' ' << clip_similarity << ' ' << least_motion << ' ' << most_motion;
    return std::move(text).str();
}

}  // namespace mirror::engine::training
