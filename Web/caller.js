// Who is at this page: a member of the tenant, or whoever holds a share link. The link's secret is in the address's
// fragment, which a browser sends to no server.
const link = /^#share=(rs_[a-z0-9]{12}_[0-9a-f]{64})$/.exec(location.hash);

/** Words for what somebody who may not do all may do. */
const WORDS = { view: 'looks on', approve: 'may answer', drive: '' };

export const caller = {
  /** The share link's secret; undefined for everybody else. */
  share: link?.[1],
  /** 'view' | 'approve' | 'drive'; nothing is offered before the server has said. */
  access: 'view',

  get mayAnswer() {
    return this.access !== 'view';
  },

  get mayDrive() {
    return this.access === 'drive';
  },

  /** Makes, ends and switches sessions: no share link does. */
  get mayManage() {
    return this.mayDrive && !this.share;
  },

  /** What is said beside the session's name. */
  get word() {
    return WORDS[this.access] || (this.share ? 'shared with you' : '');
  },

  /** `document` is that of GET /v1/me. What may not be done is not shown. */
  learn(document) {
    this.access = document.access;
    const { body } = globalThis.document;
    body.toggleAttribute('data-answers', this.mayAnswer);
    body.toggleAttribute('data-drives', this.mayDrive);
    body.toggleAttribute('data-manages', this.mayManage);
    body.toggleAttribute('data-shared', Boolean(this.share));
  },
};

// Another link in the same tab is another caller.
if (caller.share) addEventListener('hashchange', () => location.reload());
