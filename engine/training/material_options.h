#pragma once

// The part "data" of a recipe that trains on a folder of the user's own, with every threshold that decides what is
// good enough.

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/weights/config_reader.h"

namespace mirror::engine::training {

struct MaterialOptions {
    static MaterialOptions read(const ConfigReader& file);
    static bool is_meant(const ConfigReader& file) { return file.has("folder"); }

    // Of what a prepared item holds: two runs with the same text may share it.
    std::string fingerprint() const;

    std::filesystem::path folder;
    std::filesystem::path cache;  // Where prepared items are kept; empty: below the run's own folder.
    int width = 720, height = 480;
    int frames = 1;  // Of a clip.
    double frames_per_second = 8.0;
    double still_share = 0.0;       // Of the batches: one frame instead of a clip.
    double held_out = 0.05;         // Share of the items that is never trained on.
    std::int64_t references = 4;    // Portraits made of each item, each cut, lit and turned a little differently.
    int least_side = 720;           // The shorter side of a picture or video, pixels.
    double face_score = 0.8;        // Of the detector.
    int face_side = 128;            // The longer side of the face, pixels.
    double least_face_area = 0.04;  // Of the picture.
    double most_face_area = 0.6;
    double least_face_height = 0.15;  // Of the window that is cut out.
    double most_face_height = 0.6;
    double most_yaw = 60.0;        // Degrees, estimated from the landmarks.
    double sharpness = 20.0;       // Variance of the Laplacian of the aligned face, in squared grey levels.
    int duplicate_bits = 4;        // Pictures whose perceptual hashes differ in so few of 64 bits are one.
    double similarity = 0.65;      // Cosine above which two items show one person.
    bool self_reference = true;    // A person with one item only is their own reference, cut anew.
    double clip_faces = 0.8;       // Of the frames of a clip: those with exactly one face.
    double clip_similarity = 0.5;  // Mean cosine between the faces of a clip.
    double least_motion = 0.5;     // Mean change from frame to frame, grey levels.
    double most_motion = 40.0;     // Above it: a cut.
};

}  // namespace mirror::engine::training
