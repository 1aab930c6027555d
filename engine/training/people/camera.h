#pragma once

// Where the picture's frame is: what a scene's size, framing and moving camera do to person and background.

#include "engine/training/people/geometry.h"
#include "engine/training/people/people.h"

namespace mirror::people {

struct Views {
    Transform person;  // Pixels from the drawing coordinates of head_shape.h, before the head's own movement.
    Transform place;   // Pixels from the coordinates of draw_place.h.
};

// `progress` runs from 0 to 1 over the clip.
Views views_at(const SceneRequest& scene, double seconds, double progress);

}  // namespace mirror::people
