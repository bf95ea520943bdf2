// Following a citation: shows the sources of its answer, scrolls to the card and flashes it.
// One listener for all links; Enter on a focused link arrives as a click as well.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.cite");
  const card = link && document.getElementById(link.hash.slice(1));
  if (!card) return;
  event.preventDefault();
  const group = card.closest(".group");
  for (const other of group.parentElement.children) other.classList.toggle("chosen", other === group);
  group.parentElement.classList.add("choosing");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  card.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "nearest" });
  card.focus({ preventScroll: true });
  card.classList.remove("flash");
  void card.offsetWidth; // So that a second click starts the animation again.
  card.classList.add("flash");
});

// A new question, and then its answer, moves to the top of the conversation.
let seen = "";
new MutationObserver(() => {
  const questions = document.querySelectorAll("#chat .user-row");
  const working = document.querySelector("#chat .stage") !== null;
  const now = `${questions.length} ${working}`;
  if (now === seen) return;
  seen = now;
  questions[questions.length - 1]?.scrollIntoView({ block: "start" });
}).observe(document.documentElement, { childList: true, subtree: true });
