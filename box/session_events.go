package box

import "github.com/lycosadb/lycosa/trigger"

// Fire calls the handlers of an event one after another, until one fails, without letting them yield. args holds
// nargs MessagePack values.
func (b *Box) Fire(c *Ctx, e *trigger.Event, args []byte, nargs int) error {
	return b.fireSession(c, e, args, nargs)
}
