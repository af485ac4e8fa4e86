// What scrolls sideways can be reached with the keyboard.
function letWideThingsBeReached() {
  for (const each of document.querySelectorAll(".bd-article table, .bd-article pre, .bd-article .output")) {
    if (each.scrollWidth > each.clientWidth) {
      each.tabIndex = 0;
    }
  }
}
addEventListener("DOMContentLoaded", letWideThingsBeReached);
addEventListener("resize", letWideThingsBeReached);
