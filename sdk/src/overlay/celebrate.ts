/** A quiet burst of sparks around the check mark. */
import { animate, h } from "./dom";

const SPARKS = 14;
const REACH_PX = 58;

export function celebrate(orb: Element): void {
  for (let i = 0; i < SPARKS; i++) {
    const spark = h("span", { class: "spark" });
    orb.append(spark);
    const angle = (i / SPARKS) * Math.PI * 2;
    const reach = REACH_PX * (i % 2 ? 1 : 0.68);
    const to = `translate(-50%,-50%) translate(${Math.cos(angle) * reach}px,${Math.sin(angle) * reach}px) scale(0)`;
    const motion = animate(spark, [{ transform: "translate(-50%,-50%) scale(1)", opacity: 1 }, { transform: to, opacity: 0 }], {
      duration: 900 + (i % 3) * 160, delay: 180, easing: "cubic-bezier(.1,.7,.2,1)", fill: "both",
    });
    if (motion) motion.onfinish = () => spark.remove();
    else spark.remove();
  }
}
