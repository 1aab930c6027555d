#include "app/cli/material_reader.h"

#include <cmath>
#include <string>
#include <system_error>
#include <utility>

#include "engine/core/result.h"
#include "engine/face/face_detector.h"
#include "engine/face/face_models.h"
#include "engine/face/photograph.h"
#include "engine/media/video_file.h"

namespace mirror::cli {

namespace {

class FileReader : public engine::training::MaterialReader {
public:
    Result<Frame> picture(const std::filesystem::path& file) override { return face::read_photograph(file); }

    // Each wanted moment takes the last frame that is shown by then.
    Result<std::vector<Frame>> clip(const std::filesystem::path& file, double frames_per_second,
                                    std::int64_t count) override {
        const Result<media::VideoInfo> info = media::probe_video(file);
        if (!info) return info.error();
        const FrameRate rate = info.value().rate;
        const double own = static_cast<double>(rate.numerator) / static_cast<double>(rate.denominator);
        std::vector<Frame> frames;
        std::int64_t shown = 0;
        const auto take = [&](Frame frame) {
            ++shown;
            const auto wanted = [&] {
                const double moment = static_cast<double>(frames.size()) / frames_per_second;
                return static_cast<std::int64_t>(frames.size()) < count && std::floor(moment * own + 1e-6) + 1 <= shown;
            };
            while (wanted()) frames.push_back(frame);
            return static_cast<std::int64_t>(frames.size()) < count;
        };
        if (const auto decoded = media::decode_video(file, take); !decoded) return decoded.error();
        return frames;
    }

    Result<std::vector<FaceBox>> faces(const Frame& picture) override {
        try {
            if (detectors_.empty()) detectors_ = face::make_face_detectors();
            return face::find_faces(detectors_, picture);
        } catch (const EngineError& error) {
            return error.error();
        }
    }

    std::string detector() const override { return detector_; }

private:
    // The name and size of the network's file; without one the program's own detectors look.
    static std::string chosen_detector() {
        const auto network = face::find_detector_network();
        std::error_code ignored;
        return network ? network->file.filename().string() + " " +
                             std::to_string(std::filesystem::file_size(network->file, ignored))
                       : "built in";
    }

    std::vector<std::unique_ptr<face::FaceDetector>> detectors_;
    std::string detector_ = chosen_detector();
};

}  // namespace

std::shared_ptr<engine::training::MaterialReader> make_material_reader() { return std::make_shared<FileReader>(); }

}  // namespace mirror::cli
