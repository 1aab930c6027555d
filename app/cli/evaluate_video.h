#pragma once

// Measures one video file against the references.

#include <filesystem>
#include <functional>
#include <stop_token>

#include "engine/core/result.h"
#include "engine/media/video_file.h"
#include "engine/metrics/clip_observer.h"
#include "engine/metrics/clip_scores.h"

namespace mirror::cli {

struct VideoScores {
    media::VideoInfo info;
    metrics::ClipScores scores;
};

// Frames looked at so far and how many there will be, 0 if the file does not say.
using FrameProgress = std::function<void(std::int64_t frames, std::int64_t of_frames)>;

// Reads the file twice: for the faces and the movement of the whole picture, and for the movement inside the face's
// region, which is known only then. Errors: MissingFile, MalformedFile, Cancelled; whatever the detectors say.
Result<VideoScores> evaluate_video(const std::filesystem::path& file, const std::vector<metrics::FaceSeen>& references,
                                   metrics::ClipObserver& observer, const metrics::ScoreOptions& options,
                                   const FrameProgress& tell, const std::stop_token& stop);

}  // namespace mirror::cli
