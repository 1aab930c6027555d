#include "engine/session/story.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "engine/core/utf8.h"
#include "engine/session/error_boundary.h"
#include "engine/session/project_file.h"

namespace mirror::engine {

namespace {

using Json = nlohmann::json;  // Its objects are sorted by key.
using Clock = std::chrono::steady_clock;

constexpr int kStoryVersion = 1;
constexpr std::size_t kLongestMessage = 260;

Error in_shot(std::size_t index, const Error& error) {
    return {error.code, "shot " + std::to_string(index + 1) + ": " + error.detail};
}

int frames_of(const Story& story) {
    int frames = 0;
    for (const GenerationRequest& shot : story.shots) frames += shot.video.frames;
    return frames;
}

// Passes one shot's frames on to the whole video and to a take of its own. The whole is finished by the story.
class ShotSink : public VideoSink {
public:
    ShotSink(VideoSink& whole, std::unique_ptr<VideoSink> take) : whole_(whole), take_(std::move(take)) {}

    void begin(const VideoSpec& spec, const std::string& recipe) override {
        if (take_) take_->begin(spec, recipe);
    }
    void write(const Frame& frame) override {
        if (take_) take_->write(frame);
        whole_.write(frame);
    }
    void finish() override {
        if (take_) take_->finish();
    }

private:
    VideoSink& whole_;
    std::unique_ptr<VideoSink> take_;
};

// Turns what is left of one shot into what is left of the story: the shots before say how long a frame takes, and
// while there are none, this one does.
class TimeLeft {
public:
    explicit TimeLeft(const Story& story) : story_(story), started_(Clock::now()) {}

    double of_story(std::size_t shot, double of_shot) const {
        if (of_shot < 0) return of_shot;
        double done = story_.shots[shot].video.frames, rest = 0;
        for (std::size_t i = 0; i < shot; ++i) done += story_.shots[i].video.frames;
        for (std::size_t i = shot + 1; i < story_.shots.size(); ++i) rest += story_.shots[i].video.frames;
        const double seconds = std::chrono::duration<double>(Clock::now() - started_).count() + of_shot;
        return of_shot + seconds / done * rest;
    }

private:
    const Story& story_;
    Clock::time_point started_;
};

Observer observer_of(std::size_t shot, const StoryOptions& options, const TimeLeft& time) {
    Observer observer;
    observer.preview_every_steps = options.preview_every_steps;
    if (!options.tell) return observer;
    observer.tell = [shot, &options, &time](const ProgressEvent& event) {
        const auto* progress = std::get_if<Progress>(&event);
        if (progress == nullptr) return options.tell(static_cast<int>(shot) + 1, event);
        Progress whole = *progress;
        whole.seconds_left = time.of_story(shot, progress->seconds_left);
        options.tell(static_cast<int>(shot) + 1, whole);
    };
    return observer;
}

// The shots as they will be run; what can be refused is refused before the first one is made.
Story prepared(Session& session, const Story& story, const StoryOptions& options, const std::stop_token& stop) {
    Story ready{story.title, {}};
    const Observer silent{[](const ProgressEvent&) {}, options.preview_every_steps};  // Each shot tells it again.
    for (std::size_t i = 0; i < story.shots.size(); ++i) {
        auto shot = session.prepare(story.shots[i], silent, stop);
        if (!shot) throw EngineError(in_shot(i, shot.error()));
        ready.shots.push_back(std::move(shot).value());
    }
    return ready;
}

// Says where the latents of the finished shots are, of as many as one message has room for.
Error with_finished(Error error, const std::vector<GenerationReport>& finished) {
    if (finished.empty()) return error;
    std::string& text = error.detail;
    if (text.ends_with('.')) text.pop_back();
    text +=
        "; latents of finished shots are kept in '" + escape_for_message(finished.front().latents.parent_path()) + "':";
    for (std::size_t i = 0; i < finished.size(); ++i) {
        const std::string name = " " + escape_for_message(finished[i].latents.filename());
        if (text.size() + name.size() > kLongestMessage) {
            text += " and " + std::to_string(finished.size() - i) + " more";
            break;
        }
        text += name;
    }
    return error;
}

StoryReport tell(Session& session, const Story& asked, VideoSink& sink, const StoryOptions& options,
                 const std::stop_token& stop) {
    value_or_throw(check_story(asked));
    const Story story = prepared(session, asked, options, stop);
    StoryReport report;
    report.frames = frames_of(story);
    VideoSpec spec = story.shots.front().video;
    spec.frames = report.frames;
    sink.begin(spec, story_to_json(story));
    const TimeLeft time(story);
    for (std::size_t i = 0; i < story.shots.size(); ++i) {
        const Observer observer = observer_of(i, options, time);
        ShotSink shot(sink, options.takes ? options.takes(static_cast<int>(i) + 1) : nullptr);
        auto finished = session.generate(story.shots[i], {}, shot, observer, stop);
        if (!finished) throw EngineError(with_finished(in_shot(i, finished.error()), report.shots));
        report.shots.push_back(std::move(finished).value());
    }
    sink.finish();
    return report;
}

}  // namespace

Result<Story> story_of(const Project& project, const std::filesystem::path& folder,
                       const GenerationRequest& model_defaults) {
    return story_of(project, folder, model_defaults, [&folder](const std::filesystem::path& relative) -> Status {
        const auto file = file_in_project(folder, relative);
        return file ? success() : file.error();
    });
}

Result<Story> story_of(const Project& project, const std::filesystem::path& place,
                       const GenerationRequest& model_defaults, const FileCheck& check) {
    Story story{project.title, {}};
    if (project.shots.empty()) return Error{ErrorCode::InvalidRequest, "the project has no shots."};
    for (std::size_t i = 0; i < project.shots.size(); ++i) {
        auto request = shot_request(project, i, model_defaults, place);
        if (!request) return request.error();
        for (const ReferencePhoto& photo : request.value().references) {
            const Status status = check(photo.file.lexically_relative(place));
            if (!status) return in_shot(i, status.error());
        }
        story.shots.push_back(std::move(request).value());
    }
    return story;
}

Status check_story(const Story& story) {
    if (story.shots.empty()) return Error{ErrorCode::InvalidRequest, "a story needs at least one shot."};
    const VideoSpec& first = story.shots.front().video;
    for (std::size_t i = 0; i < story.shots.size(); ++i) {
        const GenerationRequest& shot = story.shots[i];
        if (const Status status = check_request(shot); !status) return in_shot(i, status.error());
        const VideoSpec& video = shot.video;
        if (shot.kind != OutputKind::Video || video.width != first.width || video.height != first.height ||
            video.rate != first.rate)
            return in_shot(i, {ErrorCode::InvalidRequest, "it has another size or rate than the first one."});
    }
    return success();
}

std::string story_to_json(const Story& story) {
    Json shots = Json::array();
    for (const GenerationRequest& shot : story.shots) shots.push_back(Json::parse(request_to_json(shot)));
    const Json json = {{"kind", "story"}, {"shots", shots}, {"title", story.title}, {"version", kStoryVersion}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<StoryReport> tell_story(Session& session, const Story& story, VideoSink& sink, const StoryOptions& options,
                               std::stop_token stop) {
    return guarded_value<StoryReport>([&] { return tell(session, story, sink, options, stop); });
}

}  // namespace mirror::engine
