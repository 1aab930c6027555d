#include "ui/style/ink.h"

#include <array>
#include <utility>

namespace mirror::ui {

namespace {

struct InkRow {
    Ink meaning;
    QPalette::ColorRole role;
    QRgb dark;
    QRgb light;
};

// design tokens of the window; each meaning owns one role of the palette.
constexpr std::array<InkRow, 14> kInks{{
    {Ink::Gap, QPalette::Dark, 0xff0f1113, 0xffcfd4d9},
    {Ink::Ground, QPalette::Shadow, 0xff101214, 0xffd9dde1},
    {Ink::Panel, QPalette::Window, 0xff1e2125, 0xfff7f8f9},
    {Ink::Field, QPalette::Base, 0xff15171a, 0xffffffff},
    {Ink::Raised, QPalette::Button, 0xff262a2f, 0xffffffff},
    {Ink::Line, QPalette::Mid, 0xff2f343a, 0xffd5d9de},
    {Ink::Text, QPalette::WindowText, 0xffd7dbe0, 0xff1d2125},
    {Ink::Dim, QPalette::PlaceholderText, 0xff8b939c, 0xff59626b},
    {Ink::Faint, QPalette::Light, 0xff5d656e, 0xff8b939c},
    {Ink::Accent, QPalette::Highlight, 0xff5aa9e6, 0xff1f78c1},
    {Ink::OnAccent, QPalette::HighlightedText, 0xff0b1622, 0xffffffff},
    {Ink::Warn, QPalette::LinkVisited, 0xffe0a458, 0xffb26a00},
    {Ink::Ok, QPalette::Midlight, 0xff6fbf8f, 0xff2f8a5b},
    {Ink::Error, QPalette::BrightText, 0xffe5726b, 0xffc0392f},
}};

const InkRow& rowOf(Ink meaning) { return kInks[static_cast<std::size_t>(meaning)]; }

}  // namespace

QPalette::ColorRole roleOf(Ink meaning) { return rowOf(meaning).role; }

QColor ink(const QPalette& palette, Ink meaning) { return palette.color(QPalette::Active, roleOf(meaning)); }

QPalette paletteFor(Shade shade) {
    QPalette palette;
    for (const InkRow& row : kInks) {
        const QColor color(shade == Shade::Dark ? row.dark : row.light);
        for (const auto group : {QPalette::Active, QPalette::Inactive, QPalette::Disabled}) {
            palette.setColor(group, row.role, color);
        }
    }
    const std::pair<QPalette::ColorRole, Ink> derived[] = {
        {QPalette::Text, Ink::Text},          {QPalette::ButtonText, Ink::Text},  {QPalette::Link, Ink::Accent},
        {QPalette::ToolTipBase, Ink::Raised}, {QPalette::ToolTipText, Ink::Text}, {QPalette::AlternateBase, Ink::Panel},
    };
    for (const auto& [role, meaning] : derived) palette.setColor(role, ink(palette, meaning));
    for (const auto role : {QPalette::Text, QPalette::ButtonText, QPalette::WindowText}) {
        palette.setColor(QPalette::Disabled, role, ink(palette, Ink::Faint));
    }
    return palette;
}

}  // namespace mirror::ui
