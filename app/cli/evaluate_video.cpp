#include "app/cli/evaluate_video.h"

#include "engine/core/utf8.h"
#include "engine/session/error_boundary.h"

namespace mirror::cli {

namespace {

// Decodes all frames; what `work` throws ends it.
Result<media::VideoInfo> for_each_frame(const std::filesystem::path& file, const std::stop_token& stop,
                                        const std::function<void(const Frame&)>& work) {
    Status done = success();
    const auto info = media::decode_video(file, [&](const Frame& frame) {
        done = engine::guarded([&] {
            if (stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
            work(frame);
        });
        return static_cast<bool>(done);
    });
    if (!done) return done.error();
    return info;
}

double rate_of(const media::VideoInfo& info) {
    return info.rate.denominator > 0 ? static_cast<double>(info.rate.numerator) / info.rate.denominator : 0;
}

}  // namespace

Result<VideoScores> evaluate_video(const std::filesystem::path& file, const std::vector<metrics::FaceSeen>& references,
                                   metrics::ClipObserver& observer, const metrics::ScoreOptions& options,
                                   const FrameProgress& tell, const std::stop_token& stop) {
    const auto header = media::probe_video(file);
    if (!header) return header.error();
    metrics::DynamicDegree movement(rate_of(header.value()));
    metrics::ObservedClip clip;
    const auto info = for_each_frame(file, stop, [&](const Frame& frame) {
        clip.width = frame.width;
        clip.height = frame.height;
        const auto index = static_cast<std::int64_t>(clip.frames.size());
        clip.frames.push_back(observer.observe(frame, index));
        movement.add(frame);
        tell(index + 1, header.value().frames);
    });
    if (!info) return info.error();
    if (clip.frames.empty())
        return Error{ErrorCode::MalformedFile, "The video " + path_for_message(file) + " has no frames."};
    VideoScores result{info.value(), metrics::scores_of(references, clip, options)};
    result.scores.dynamic = movement.score();
    if (const auto region = metrics::face_region(clip)) {
        metrics::FaceFlow flow(*region);
        const auto again = for_each_frame(file, stop, [&](const Frame& frame) { flow.add(frame); });
        if (!again) return again.error();
        result.scores.fm_dense = flow.mean();
    }
    return result;
}

}  // namespace mirror::cli
