#pragma once

// The parts of a person, each drawn by one function into the pen's current view: drawing coordinates of head_shape.h.

#include "engine/training/people/head_shape.h"
#include "engine/training/people/pen.h"
#include "engine/training/people/pose.h"

namespace mirror::people {

// What every part needs to know.
struct Figure {
    const Identity& identity;
    const SceneRequest& scene;
    Pose pose;
    HeadShape head;
};

// From the back to the front. "Upper" parts are drawn in the head's view, "lower" in the body's.
void draw_back_hair(const Pen& pen, const Figure& figure);    // upper
void draw_hood(const Pen& pen, const Figure& figure);         // lower
void draw_body(const Pen& pen, const Figure& figure);         // lower: clothes and neck
void draw_head(const Pen& pen, const Figure& figure);         // upper: ears, skin, marks
void draw_beard(const Pen& pen, const Figure& figure);        // upper
void draw_features(const Pen& pen, const Figure& figure);     // upper: nose, mouth, eyes
void draw_front_hair(const Pen& pen, const Figure& figure);   // upper
void draw_brows(const Pen& pen, const Figure& figure);        // upper
void draw_glasses(const Pen& pen, const Figure& figure);      // upper
void draw_accessory(const Pen& pen, const Figure& figure);    // upper
void draw_waving_hand(const Pen& pen, const Figure& figure);  // lower

// Where the head sits on the body.
Transform head_on_body(const Figure& figure);

}  // namespace mirror::people
