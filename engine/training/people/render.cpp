// One frame after the other: background, person, and where the face is.

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/core/result.h"
#include "engine/training/people/camera.h"
#include "engine/training/people/draw_person.h"
#include "engine/training/people/draw_place.h"
#include "engine/training/people/palette.h"
#include "engine/training/people/people.h"
#include "engine/training/people/random.h"

namespace mirror::people {

namespace {

constexpr int kSmallest = 32, kLargest = 4096, kMostFrames = 1024;
constexpr double kMomentOfStills = 1.5;  // Seconds of a movement that single frames are taken from.

void check(const SceneRequest& scene) {
    const auto refuse = [](const std::string& what) {
        throw EngineError(ErrorCode::InvalidRequest, "A drawn scene " + what + ".");
    };
    for (const int edge : {scene.width, scene.height}) {
        if (edge < kSmallest || edge > kLargest)
            refuse("cannot be " + std::to_string(scene.width) + " x " + std::to_string(scene.height) +
                   " pixels; each edge is 32 to 4096");
    }
    if (scene.frames < 1 || scene.frames > kMostFrames)
        refuse("has " + std::to_string(scene.frames) + " frames; 1 to 1024 are possible");
    if (!(scene.frames_per_second > 0)) refuse("needs a number of frames per second above 0");
}

struct Moment {
    double seconds, duration, progress;
};

Moment moment_of(const SceneRequest& scene, int index) {
    if (scene.frames == 1) {
        const double share = Random(scene.seed, 13).uniform(0.2, 1.0);
        return {share * kMomentOfStills, kMomentOfStills, 0.5};
    }
    const double duration = (scene.frames - 1) / scene.frames_per_second;
    return {index / scene.frames_per_second, duration, static_cast<double>(index) / (scene.frames - 1)};
}

DrawnFace drawn_face(Canvas& canvas, const Figure& figure) {
    const Path area = figure.head.face_area();
    std::vector<Vec> points;
    flatten(area, canvas.view(), 1.0, points);
    DrawnFace face;
    const Box box = box_of(polygon(points));
    face.face = {box.low.x, box.low.y, box.high.x, box.high.y, 1.0, {}};
    const auto landmarks = figure.head.landmarks(figure.pose.smile * (1 - figure.pose.mouth_round));
    for (std::size_t index = 0; index < landmarks.size(); ++index) {
        const Vec pixel = canvas.view()(landmarks[index]);
        face.face.landmarks[index] = {pixel.x, pixel.y};
    }
    const double seen_x = std::min<double>(box.high.x, canvas.width()) - std::max(box.low.x, 0.0);
    const double seen_y = std::min<double>(box.high.y, canvas.height()) - std::max(box.low.y, 0.0);
    face.visibility = std::max(seen_x, 0.0) * std::max(seen_y, 0.0) / std::max(box.size().x * box.size().y, 1e-9);
    face.yaw = figure.pose.yaw;
    face.pitch = figure.pose.pitch;
    face.roll = figure.pose.roll;
    face.eye_openness = std::clamp(figure.pose.eye_openness, 0.0, 1.0);
    face.mouth_opening = figure.pose.mouth_opening;
    face.smile = figure.pose.smile;
    return face;
}

void draw_person(const Pen& pen, const Figure& figure, const Transform& body, const Transform& head) {
    const auto in = [&](const Transform& view) { pen.canvas().set_view(view); };
    in(head), draw_back_hair(pen, figure);
    in(body), draw_hood(pen, figure);
    draw_body(pen, figure);
    in(head), draw_head(pen, figure);
    draw_beard(pen, figure);
    draw_features(pen, figure);
    draw_front_hair(pen, figure);
    draw_brows(pen, figure);
    draw_glasses(pen, figure);
    draw_accessory(pen, figure);
    in(body), draw_waving_hand(pen, figure);
}

DrawnFace draw_frame(const SceneRequest& scene, int index, std::uint8_t* rgb) {
    const Moment moment = moment_of(scene, index);
    const Views views = views_at(scene, moment.seconds, moment.progress);
    const Pose pose = pose_at(scene, moment.seconds, moment.duration);
    const Figure figure{scene.identity, scene, pose, HeadShape(scene.identity, pose)};

    Canvas canvas(scene.width, scene.height, ground_colour(scene.style));
    const Pen pen(canvas, scene.style, Random(scene.seed, 17).chance(0.5) ? -1 : 1);
    canvas.set_view(views.place);
    draw_place(pen, scene.place, scene.seed);
    const Transform head = views.person * head_on_body(figure);
    draw_person(pen, figure, views.person, head);
    canvas.set_view(head);
    const DrawnFace face = drawn_face(canvas, figure);
    canvas.copy_to(rgb, tint_of(scene.light));
    return face;
}

}  // namespace

RenderedClip render(const SceneRequest& scene) {
    check(scene);
    RenderedClip clip{scene.frames, scene.width, scene.height, {}, {}};
    const std::size_t frame_bytes = static_cast<std::size_t>(scene.width) * static_cast<std::size_t>(scene.height) * 3;
    clip.rgb.resize(frame_bytes * static_cast<std::size_t>(scene.frames));
    for (int index = 0; index < scene.frames; ++index) {
        clip.faces.push_back(draw_frame(scene, index, clip.rgb.data() + frame_bytes * static_cast<std::size_t>(index)));
    }
    return clip;
}

Frame render_frame(const SceneRequest& scene, int index) {
    check(scene);
    if (index < 0 || index >= scene.frames)
        throw EngineError(ErrorCode::InvalidRequest, "A drawn scene of " + std::to_string(scene.frames) +
                                                         " frames has no frame " + std::to_string(index) + ".");
    Frame frame{scene.width, scene.height, {}};
    frame.rgb.resize(static_cast<std::size_t>(scene.width) * static_cast<std::size_t>(scene.height) * 3);
    draw_frame(scene, index, frame.rgb.data());
    return frame;
}

}  // namespace mirror::people
