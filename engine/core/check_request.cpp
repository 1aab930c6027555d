// The ranges of a request, as the command line and the documents state them. Nothing is rounded, no file is touched.

#include <cmath>

#include "engine/core/limits.h"
#include "engine/core/request.h"
#include "engine/core/utf8.h"

namespace mirror {
namespace {

Status refuse(const std::string& sentence) { return Error{ErrorCode::InvalidRequest, sentence}; }

bool is_within(double value, double least, double most) {
    return std::isfinite(value) && value >= least && value <= most;
}

Status check_video(const GenerationRequest& request) {
    const VideoSpec& video = request.video;
    for (const int side : {video.width, video.height}) {
        if (side < limits::kMinSide || side > limits::kMaxSide || side % 16 != 0) {
            return refuse("--size must be WIDTHxHEIGHT, each from 16 to 8192 and divisible by 16, not " +
                          std::to_string(video.width) + "x" + std::to_string(video.height) + ".");
        }
    }
    if (request.kind == OutputKind::Image && video.frames != 1) {
        return refuse("--frames must be 1 for a picture, not " + std::to_string(video.frames) + ".");
    }
    if (video.frames < 1 || video.frames > limits::kMaxFrames || video.frames % 8 != 1) {
        return refuse("--frames must be 8N+1 from 1 to 1025, not " + std::to_string(video.frames) + ".");
    }
    if (video.rate.numerator < 1 || video.rate.denominator < 1) return refuse("The frame rate must be above zero.");
    return success();
}

Status check_sampling(const SamplingSpec& sampling) {
    if (sampling.steps < 1 || sampling.steps > limits::kMaxSteps) {
        return refuse("--steps must be from 1 to 1000, not " + std::to_string(sampling.steps) + ".");
    }
    if (!is_within(sampling.guidance, 0, limits::kMaxGuidance))
        return refuse("--guidance must be a number from 0 to 100.");
    return success();
}

Status check_identity(const IdentityStrength& identity, int steps) {
    if (!is_within(identity.value, 0, limits::kMaxIdentityStrength)) {
        return refuse("--identity-strength must be a number from 0 to 1.5.");
    }
    const int last = identity.last_step.value_or(steps);
    if (identity.first_step < 1 || last < identity.first_step || last > steps) {
        return refuse("--identity-strength: the steps " + std::to_string(identity.first_step) + "-" +
                      std::to_string(last) + " are not a range within --steps " + std::to_string(steps) + ".");
    }
    return success();
}

Status check_references(const GenerationRequest& request) {
    const std::size_t count = request.references.size();
    if (request.method != Method::None && count == 0)
        return refuse("--reference is missing: give at least one photograph.");
    if (count > limits::kMaxReferences)
        return refuse("--reference can be given 4 times at most, not " + std::to_string(count) + ".");
    for (const auto& photo : request.references) {
        if (photo.file.empty()) return refuse("--reference needs the name of a file.");
        if (photo.face && *photo.face < 1)
            return refuse("--face must be 1 or more, not " + std::to_string(*photo.face) + ".");
    }
    return success();
}

bool is_device(const std::string& device) {
    if (device == "cpu" || device == "cuda") return true;
    if (!device.starts_with("cuda:") || device.size() < 6 || device.size() > 8) return false;
    return device.find_first_not_of("0123456789", 5) == std::string::npos;
}

}  // namespace

Status check_request(const GenerationRequest& request) {
    if (request.model.empty()) return refuse("--model is missing: give a checkpoint folder.");
    if (!is_utf8(request.prompt.positive)) return refuse("--prompt is not UTF-8.");
    if (!is_utf8(request.prompt.negative)) return refuse("--negative is not UTF-8.");
    if (!is_device(request.device)) {
        return refuse("--device must be cpu, cuda or cuda:N, not " + escape_for_message(request.device) + ".");
    }
    if (Status status = check_video(request); !status) return status;
    if (Status status = check_sampling(request.sampling); !status) return status;
    if (Status status = check_identity(request.identity, request.sampling.steps); !status) return status;
    return check_references(request);
}

}  // namespace mirror
